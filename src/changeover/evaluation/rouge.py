"""How much of a reference does an answer say, in the same order? ROUGE-L F1 (Lin, 2004), as ``rouge_score`` has it, unstemmed."""

from collections.abc import Sequence

from changeover.evaluation.sentences import words


def rouge_l_f1(answer: str, reference: str) -> float:
    """Harmonic mean of the longest common subsequence's share of the answer's words and of the reference's: 0 to 1, larger is better.

    Words are lower-case runs of ASCII letters and digits. Either text without a word scores 0.
    """
    said, wanted = words(answer), words(reference)
    common = longest_common_subsequence(said, wanted)
    if not common:
        return 0.0
    precision, recall = common / len(said), common / len(wanted)
    return 2 * precision * recall / (precision + recall)


def longest_common_subsequence(left: Sequence[str], right: Sequence[str]) -> int:
    """Length of the longest sequence of words that stands in both, in order, not necessarily side by side. O(n*m) time, O(m) space."""
    row = [0] * (len(right) + 1)
    for word in left:
        diagonal = 0
        for column, other in enumerate(right, start=1):
            above = row[column]
            row[column] = diagonal + 1 if word == other else max(above, row[column - 1])
            diagonal = above
    return row[-1]
