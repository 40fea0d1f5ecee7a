"""WTForms classes: the shape and wording of what people type. No queries; what depends on data is a rule."""
