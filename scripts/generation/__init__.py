"""From the spec to the generated package: the document, what the generator does with it, and how it is put in place."""
