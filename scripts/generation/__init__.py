"""The generated package from the spec: the document, what the generator does with it, and how it is put in place."""
