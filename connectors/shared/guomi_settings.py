"""How requests of a destination are signed and encrypted by national cryptography 国密 [B]."""

from importlib.util import find_spec
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from schemas.base import Schema

#: The name of a header.
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")]
#: Bytes of a number of SM2.
SM2_NUMBER = 32
_MISSING = (
    "签名要 gmssl-pyx：pip install 'credit-gateway[guomi]'；"
    "x86_64 以外没有现成的包，pip install gmssl-pyx 在本机编译"
)


def _hex_of(size: int) -> AfterValidator:
    def check(secret: SecretStr) -> SecretStr:
        try:
            right = len(bytes.fromhex(secret.get_secret_value())) == size
        except ValueError:
            right = False
        if not right:
            raise ValueError(f"应为 {2 * size} 位十六进制")
        return secret

    return AfterValidator(check)


def _public_key(text: str) -> str:
    try:
        key = bytes.fromhex(text).removeprefix(b"\x04")
    except ValueError:
        key = b""
    if len(key) != 2 * SM2_NUMBER:
        raise ValueError("应为未压缩的公钥，128 位十六进制，前面可有 04")
    return key.hex()


PublicKey = Annotated[str, AfterValidator(_public_key)]


class GuomiSettings(Schema):
    """How requests are signed and encrypted, and answers opened [B]."""

    digest_header: HeaderName | None = Field(default=None, title="正文 SM3 摘要的请求头")
    signature_header: HeaderName | None = Field(default=None, title="SM2 签名的请求头")
    private_key: Annotated[SecretStr, _hex_of(SM2_NUMBER)] | None = Field(
        default=None, title="本方 SM2 私钥，十六进制"
    )
    public_key: PublicKey | None = Field(default=None, title="本方 SM2 公钥，十六进制")
    signer_id: str = Field(default="1234567812345678", min_length=1, title="签名者标识")
    signed: tuple[Literal["method", "path", "timestamp", "digest", "body"], ...] = Field(
        default=("method", "path", "timestamp", "digest"), min_length=1, title="签名的内容，依次"
    )
    separator: str = Field(default="\n", title="各部分之间的分隔")
    timestamp_header: HeaderName | None = Field(default=None, title="时间戳（毫秒）的请求头")
    signature_form: Literal["der", "raw"] = Field(default="der", title="签名编码：DER 或 r‖s")
    encoding: Literal["base64", "hex"] = Field(default="base64", title="摘要、签名、密文的文字编码")
    body_key: Annotated[SecretStr, _hex_of(16)] | None = Field(
        default=None, title="SM4 密钥，十六进制；写了就加密正文"
    )
    body_mode: Literal["cbc", "gcm"] = Field(default="cbc", title="SM4 模式，IV 在密文前")
    answers_encrypted: bool = Field(default=False, title="应答也用 SM4 加密")
    answer_signature_header: HeaderName | None = Field(default=None, title="应答签名的头")
    their_public_key: PublicKey | None = Field(default=None, title="对方 SM2 公钥，验应答签名")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.signature_header and not (self.private_key and self.public_key):
            raise ValueError("写了 signature_header 就要写 private_key 和 public_key")
        if self.answers_encrypted and self.body_key is None:
            raise ValueError("写了 answers_encrypted 就要写 body_key")
        if bool(self.answer_signature_header) is not bool(self.their_public_key):
            raise ValueError("answer_signature_header 和 their_public_key 要一起写")
        if (self.signature_header or self.their_public_key) and find_spec("gmssl_pyx") is None:
            raise ValueError(_MISSING)
        return self
