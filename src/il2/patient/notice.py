"""What stands on everything that is said of a therapy."""

RESEARCH_USE = (
    "Research use only: computed for virtual patients from published figures and assumptions. "
    "This is no medical advice and must not guide the treatment of anyone."
)
