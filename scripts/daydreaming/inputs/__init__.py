"""What the user wrote, read and checked: settings, tables, catalogs, concepts, templates."""
