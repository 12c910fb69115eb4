"""What do the bytes of embeddings look like?"""

from changeover.azure_sim.answer import Json, Vectors, encode
from changeover.azure_sim.embedding import to_base64


def embedding_list(found: Vectors) -> bytes:
    data: list[Json] = [
        {"object": "embedding", "index": index, "embedding": to_base64(vector) if found.as_base64 else vector}
        for index, vector in enumerate(found.vectors)
    ]
    usage = {"prompt_tokens": found.tokens, "total_tokens": found.tokens}
    return encode({"object": "list", "data": data, "model": found.model, "usage": usage})
