"""The web page and its API, in Gradio: what is asked and shown. What computes lies in deepfake_detect/."""
