# Generated from spec/openapi.yaml by scripts/regenerate.py. Do not edit.
"""Contains endpoint functions for accessing the API"""
