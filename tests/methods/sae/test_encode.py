import pytest
import torch

from diffing.methods.sae import encode
from tests.methods.sae.tiny import ARCHITECTURES, make_sae


@pytest.mark.parametrize("architecture", [*ARCHITECTURES, "abstopk", "matching_pursuit"])
def test_maximum_over_each_stretch(architecture: str, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sae_lens import SAE

    sae = make_sae(architecture, "blocks.0.hook_resid_post")
    getattr(sae, "save_inference_model", sae.save_model)(tmp_path)
    sae = SAE.load_from_disk(tmp_path)
    counts = [3, 0, 9, 1, 0]
    x = torch.randn(sum(counts), 32, generator=torch.Generator().manual_seed(2)) * 2
    with torch.inference_mode():
        by_token = sae.encode(x).to_dense()
        expected = torch.stack(
            [part.amax(0).clamp(min=0) if len(part) else torch.zeros(96) for part in by_token.split(counts)]
        )
        for tokens, latents in ((2, 7), (5, 1000), (1000, 16)):  # tiles that cut stretches and leave rests
            monkeypatch.setattr(encode, "_TILE_TOKENS", tokens)
            monkeypatch.setattr(encode, "_TILE_LATENTS", latents)
            pooled = encode.encoder_for(SAE.load_from_disk(tmp_path)).pool(x, counts)
            torch.testing.assert_close(pooled, expected, rtol=1e-5, atol=1e-6)
    assert (expected > 0).any()
    assert not pooled[1].any()
