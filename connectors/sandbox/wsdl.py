"""The description (WSDL 1.1) of the sandbox's SOAP interface, document/literal as by JAX-WS."""

from xml.sax.saxutils import quoteattr

_SPACE = "http://service.upload.interfaces/"
_METHODS = ("execute", "repairData")
_TYPES = (
    '<xs:element name="{method}" type="tns:{method}"/>'
    '<xs:element name="{method}Response" type="tns:{method}Response"/>'
    '<xs:complexType name="{method}"><xs:sequence>'
    '<xs:element minOccurs="0" name="arg0" type="xs:string"/></xs:sequence></xs:complexType>'
    '<xs:complexType name="{method}Response"><xs:sequence>'
    '<xs:element minOccurs="0" name="return" type="xs:string"/></xs:sequence></xs:complexType>'
)
_MESSAGES = (
    '<wsdl:message name="{method}"><wsdl:part element="tns:{method}" name="parameters"/>'
    '</wsdl:message><wsdl:message name="{method}Response">'
    '<wsdl:part element="tns:{method}Response" name="parameters"/></wsdl:message>'
)
_OPERATIONS = (
    '<wsdl:operation name="{method}"><wsdl:input message="tns:{method}" name="{method}"/>'
    '<wsdl:output message="tns:{method}Response" name="{method}Response"/></wsdl:operation>'
)
_BINDINGS = (
    '<wsdl:operation name="{method}"><soap:operation soapAction="" style="document"/>'
    '<wsdl:input name="{method}"><soap:body use="literal"/></wsdl:input>'
    '<wsdl:output name="{method}Response"><soap:body use="literal"/></wsdl:output>'
    "</wsdl:operation>"
)


def wsdl(address: str) -> str:
    """Return the description of the service at an address; its methods take and return JSON."""
    each = {
        part: "".join(words.format(method=method) for method in _METHODS)
        for part, words in {
            "types": _TYPES,
            "messages": _MESSAGES,
            "operations": _OPERATIONS,
            "bindings": _BINDINGS,
        }.items()
    }
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" '
        'xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" '
        f'xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:tns="{_SPACE}" '
        f'name="InterfaceUploadService" targetNamespace="{_SPACE}">'
        f'<wsdl:types><xs:schema elementFormDefault="unqualified" targetNamespace="{_SPACE}">'
        f"{each['types']}</xs:schema></wsdl:types>{each['messages']}"
        f'<wsdl:portType name="InterfaceUpload">{each["operations"]}</wsdl:portType>'
        '<wsdl:binding name="InterfaceUploadSoap" type="tns:InterfaceUpload">'
        '<soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>'
        f"{each['bindings']}</wsdl:binding>"
        '<wsdl:service name="InterfaceUploadService">'
        '<wsdl:port binding="tns:InterfaceUploadSoap" name="InterfaceUploadPort">'
        f"<soap:address location={quoteattr(address)}/></wsdl:port></wsdl:service>"
        "</wsdl:definitions>"
    )
