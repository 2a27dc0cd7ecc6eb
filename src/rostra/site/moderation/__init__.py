"""Moderation with due process: reports, decisions, restrictions, appeals."""
