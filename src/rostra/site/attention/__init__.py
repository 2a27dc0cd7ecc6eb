"""What asks for somebody's attention: notifications and their policy, announcements, markers, web push."""
