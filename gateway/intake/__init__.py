"""Three doors into one pipeline: Kafka, files, HTTP. They translate, nothing else."""
