"""Three inputs to one pipeline: Kafka, files, HTTP. They only translate."""
