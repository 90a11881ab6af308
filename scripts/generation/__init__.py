"""Make the generated package from the spec: read it, find what the generator would do wrong, replace the package."""
