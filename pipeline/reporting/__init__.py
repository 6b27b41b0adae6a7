"""What the report is made of: numbers to rows, tables to drawings, images to data URIs, and the templates."""
