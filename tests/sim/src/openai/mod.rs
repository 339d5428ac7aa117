//! OpenAI, played: Realtime (GA) over WebSocket and chat completions.
