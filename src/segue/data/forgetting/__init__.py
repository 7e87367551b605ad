"""Logs on the disk without some users: written anew beside what is there, looked through, then renamed."""
