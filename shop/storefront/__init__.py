"""The shop as people see it: pages, styles and scripts that use the same routes as any client."""
