"""A believable account, made by code: nobody and nothing in it exists.

Everything has an external identifier of its own, and times that follow from one day.
"""
