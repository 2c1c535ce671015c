// JSONValue.swift: a whole JSON text as a value, for what is not on the way of a request.
