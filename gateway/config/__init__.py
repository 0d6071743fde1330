"""Settings, secrets, keys and the clock 配置."""
