"""ds_http: speech-to-text over HTTP. A WAV comes in as a request's body, decoded while it arrives; JSON or plain text goes out."""
