"""Statistics (联席会议数据)."""

from fastapi import APIRouter

router = APIRouter(tags=["statistics"])
