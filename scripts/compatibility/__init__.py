"""What a change of the spec means: for programs on the wire, and for programs that import the generated package."""
