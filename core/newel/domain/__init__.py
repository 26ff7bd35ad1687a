"""Pure rules and values: the standard library and msgspec only. Nothing here does IO."""
