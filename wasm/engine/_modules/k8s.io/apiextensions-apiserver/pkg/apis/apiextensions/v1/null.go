package v1

// nullLiteral is declared beside the conversions, which are left out.
var nullLiteral = []byte("null")
