"""What a telephone needs besides: the answer stands below what was sent, out of sight."""


def scroll_to(headline: str) -> str:
    """JavaScript that brings the headline of this element id into view on a narrow screen, if there is one."""
    return f"""() => {{
    if (window.innerWidth < 768) document.querySelector("#{headline} h2")?.scrollIntoView({{behavior: "smooth"}});
}}"""
