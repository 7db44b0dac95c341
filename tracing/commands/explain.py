"""`tracing explain CASE CANDIDATE`: why a record is, or is not, a candidate for a case."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from matcher.verdict import SENTENCES
from models.user import Locale
from tracing.explanations import Explained, explain
from tracing.platform import logs
from tracing.platform.clock import utc_now
from tracing.platform.db import unit_of_work
from tracing.platform.settings import load_settings
from tracing.services import build_services

console = Console()


def explain_candidate(
    case: Annotated[str, typer.Argument(help="Number or id of the case.")],
    candidate: Annotated[str, typer.Argument(help="Number or id of the report, or of the other case.")],
    language: Annotated[Locale, typer.Option("--language", help="Language of the sentences.")] = Locale.ZH,
) -> None:
    """Print every term of the evidence with its values, likelihood ratio, weight and sentence, and their sum.

    It shows personal data, and is on record in the audit log.
    """
    settings = load_settings()
    logs.configure(settings)
    services = build_services(settings)
    try:
        with unit_of_work(services.db) as session:
            found = explain(session, services, case, candidate, now=utc_now())
    finally:
        services.db.dispose()
    print_explanation(console, found, language)


def print_explanation(target: Console, found: Explained, language: Locale) -> None:
    """All that the evidence says, term by term."""
    told = found.explanation
    target.print(f"{found.case_number} : {found.other_number}", highlight=False)
    if not found.stored:
        target.print("No candidate of this case: weighed now, and not stored.")
    table = Table("term", "log10 LR", "weight", "counts", "case", "candidate", "sentence")
    for term in told.terms:
        sentence = term.sentence_zh if language is Locale.ZH else term.sentence_en
        table.add_row(
            term.kind.value, f"{term.log10_lr:+.2f}", f"{term.weight:.2f}", f"{term.counted:+.2f}",
            term.probe_value, term.other_value, sentence,
        )  # fmt: skip
    target.print(table)
    prior = "not kept" if told.prior_log10_odds is None else f"{told.prior_log10_odds:+.2f}"
    size = "" if told.gallery_size is None else f" (1 of {told.gallery_size} records)"
    for words, value in (
        ("sum of log10 likelihood ratios", f"{told.log10_lr:+.2f}"),
        ("prior log10 odds", prior + size),
        ("posterior probability", f"{told.posterior:.6g}"),
        ("strength", told.strength.value),
        ("verdict", SENTENCES[told.verdict][0 if language is Locale.ZH else 1]),
        ("versions", f"{told.parameters_version}, {told.model_version}"),
    ):
        target.print(f"{words:31} {value}", highlight=False, soft_wrap=True)
