"""The backend for models served by Hugging Face Inference Providers, which needs only the Hub's token.

Requests go to the Hub's router, which chooses the provider unless a suffix of the model's name does, so the providers'
own model names are not needed. The revision of a served model is unknown.
"""

from collections.abc import Mapping
from typing import ClassVar

from diffing.errors import ModelError, SettingError
from diffing.model_ref import ModelPlace, ModelRef
from diffing.models.chat_model import Body, ChatModel
from diffing.models.remote import RequestLimits
from diffing.models.transport import post_json

_ROUTER = "https://router.huggingface.co/v1/chat/completions"
"""The Hub's documented address for chat completions, whatever HF_ENDPOINT says."""


class ProvidersModel(ChatModel):
    """A Hub model served by an inference provider; its id is `providers:org/name:provider`."""

    remedies: ClassVar[Mapping[int, str]] = {
        401: "The Hub's token is wrong or expired: run `hf auth login`, or set HF_TOKEN.",
        402: "The included credits are used up: buy credits or name an organisation that pays (bill_to), then rerun: "
        "answers so far are kept.",
        403: "The token needs the permission to call Inference Providers: see https://huggingface.co/settings/tokens",
        404: "No provider serves this model under this name: see its page on the Hub for those that do.",
        422: "The provider does not take requests of this form: try another provider.",
    }
    """Advice on permanent errors, by HTTP status."""

    def __init__(
        self,
        model_id: str,
        *,
        provider: str = "auto",
        bill_to: str | None = None,
        token: str | None = None,
        concurrency: int = 8,
        timeout: float = 120.0,
    ) -> None:
        """Looks for a token without connecting to the router.

        Args:
            model_id: `org/name` on the Hub.
            provider: The provider's name; `auto`, `fastest` or `cheapest` let the router choose.
            bill_to: The organisation that pays.
            token: The Hub's token; None uses the saved one, unless HF_HUB_DISABLE_IMPLICIT_TOKEN forbids it.
            concurrency: Maximum number of simultaneous requests.
            timeout: Seconds to wait for one answer.

        Raises:
            SettingError: The id is not `org/name`.
            ModelError: There is no token, or it is not a token of the Hub.
        """
        if model_id.count("/") != 1 or "://" in model_id or not all(model_id.split("/")):
            raise SettingError(f"providers: expected org/name of a model on the Hub, got {model_id!r:.100}")
        secret = (token or _saved_token() or "").strip()
        if not secret:
            raise ModelError(
                "Inference Providers need a Hugging Face token and none was found. Run `hf auth login`, or set HF_TOKEN"
            )
        if not secret.startswith("hf_"):
            raise ModelError(
                "Inference Providers need a Hugging Face token, which begins with hf_. The token found is another one: "
                "run `hf auth login`, or set HF_TOKEN"
            )
        provider = provider or "auto"
        name = model_id if provider == "auto" else f"{model_id}:{provider}"
        self._effort = RequestLimits(concurrency=concurrency, timeout=timeout)
        self._headers = {"Authorization": f"Bearer {secret}"} | ({"X-HF-Bill-To": bill_to} if bill_to else {})
        super().__init__(
            str(ModelRef(ModelPlace.PROVIDERS, model_id, provider=provider)),
            name,
            effort=self._effort,
            secret=secret,
            asked=model_id,
        )

    def _send(self, body: Body) -> object:
        # the Hub's own client reads answers of any size, waits forever for slow ones, and drops fields
        from huggingface_hub import get_session

        return post_json(get_session(), _ROUTER, body | {"stream": False}, self._effort.timeout, self._headers)


def _saved_token() -> str | None:
    from huggingface_hub import constants, get_token

    return None if constants.HF_HUB_DISABLE_IMPLICIT_TOKEN else get_token()
