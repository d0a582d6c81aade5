"""What the scripts share: their options, and the check of all inputs.

Public: `command_line.load_project`, `validation.validate_inputs`.
"""
