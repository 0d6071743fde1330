"""Credit platforms 信用平台 reached over HTTP: JSON, and the SOAP upload interface."""

from connectors.platform_api.json_api import PlatformJson, PlatformJsonSettings
from connectors.platform_api.soap_api import PlatformSoap
from connectors.platform_api.soap_settings import PlatformSoapSettings

__all__ = ["PlatformJson", "PlatformJsonSettings", "PlatformSoap", "PlatformSoapSettings"]
