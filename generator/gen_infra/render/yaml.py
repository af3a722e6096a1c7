def to_yaml(v: object) -> str: return ""
