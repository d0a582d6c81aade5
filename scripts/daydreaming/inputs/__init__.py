"""What the user wrote, read and checked: settings, tables, catalogs, concepts, templates.

Public: `settings.Settings`, `catalogs.load_catalogs`, `concepts.load_combos`, `templates.compile_template`.
"""
