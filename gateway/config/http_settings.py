"""Settings of the HTTP side."""

from ipaddress import ip_address
from typing import Annotated

from pydantic import Field, SecretStr, model_validator

from schemas.base import Schema


class HttpSettings(Schema):
    """HTTP: loopback by default; without API keys only the health checks answer."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    #: Where a process without the role web answers for its health and metrics; None: nowhere.
    health_port: int | None = Field(default=None, ge=0, le=65535)
    api_keys: tuple[Annotated[SecretStr, Field(min_length=1)], ...] = ()
    #: Of those who watch: they read the work list and the metrics, and send nothing.
    operator_keys: tuple[Annotated[SecretStr, Field(min_length=1)], ...] = ()
    metrics_need_key: bool = True
    max_body_bytes: int = Field(default=8 * 2**20, gt=0)
    #: HTTPS, in PEM; files that are renewed are read again at once.
    certificate_file: str | None = Field(default=None, min_length=1)
    private_key_file: str | None = Field(default=None, min_length=1)
    private_key_password: SecretStr | None = None
    #: Something in front of it ends TLS, or plain HTTP from other machines is wanted.
    behind_proxy: bool = False

    @model_validator(mode="after")
    def _nobody_listens_in(self) -> "HttpSettings":
        if (self.certificate_file is None) != (self.private_key_file is None):
            raise ValueError("certificate_file 和 private_key_file 要写就都写")
        plain = self.certificate_file is None and not self.behind_proxy
        if plain and not _is_loopback(self.host):
            raise ValueError(
                f"host 是 {self.host}，别的机器连得上，密钥和数据却是明文：写 certificate_file 和"
                " private_key_file；前面有代理的，写 behind_proxy: true"
            )
        return self


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
