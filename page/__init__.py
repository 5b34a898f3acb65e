"""The web page's tabs, in Gradio: what is asked and shown. What computes lies in detect/, the wiring in app.py."""
