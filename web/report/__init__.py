"""Reports: the answers of several questions as a document, and the document as files."""
