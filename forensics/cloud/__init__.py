"""Cloud Logging: what to ask of it, how often, by which credentials, and page by page what it answers.

Nothing is imported here: the network's packages are slow to load, and most runs read files.
"""
