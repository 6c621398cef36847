"""Client of Cloud Logging: filters, credentials, transports, pacing, paging and live following.

Nothing is imported here: the network's packages are slow to load, and most runs read files.
"""
