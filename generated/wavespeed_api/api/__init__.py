# Generated from spec/openapi.yaml by scripts/regenerate.py. Do not edit.
"""Contains methods for accessing the API"""
