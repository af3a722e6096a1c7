"""The report of an environment: one value, and the page that is made of it.

`data` defines the value; `gather` makes it of an environment, with the help of `parts` (manifest lines and Terraform),
`access` (which role reaches what), `placements` (where jobs fit) and `live` (what AWS Batch does now); `page` renders
it, and nothing else, as one HTML file.
"""
