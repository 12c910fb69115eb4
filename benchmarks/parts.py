"""What the bench's other servers are told: nginx as the provider, nginx as the rival, wrk as the callers."""

import json

NGINX_UPSTREAM = """
worker_processes 1;
pid {home}/pid;
error_log {home}/error.log crit;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  keepalive_requests 10000000;
  client_body_temp_path {home}/b; proxy_temp_path {home}/p; fastcgi_temp_path {home}/f; uwsgi_temp_path {home}/u; scgi_temp_path {home}/s;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{ default_type application/json; return 200 '{reply}'; }}
  }}
}}
"""

NGINX_PROXY = """
worker_processes 1;
pid {home}/pid;
error_log {home}/error.log crit;
events {{ worker_connections 8192; }}
http {{
  log_format json escape=json '{{"t":"$msec","side":"$side","status":"$status","ms":"$upstream_response_time"}}';
  access_log {home}/access.log json buffer=64k;
  keepalive_requests 10000000;
  client_body_buffer_size 64k;
  client_body_temp_path {home}/b; proxy_temp_path {home}/p; fastcgi_temp_path {home}/f; uwsgi_temp_path {home}/u; scgi_temp_path {home}/s;
  split_clients "salt$http_x_user_id" $side {{ 10% candidate; * stable; }}
  upstream stable {{ server 127.0.0.1:{upstream}; keepalive 2000; keepalive_requests 10000000; }}
  upstream candidate {{ server 127.0.0.1:{upstream}; keepalive 2000; keepalive_requests 10000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://$side;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header api-key bench-key;
      proxy_buffering off;
    }}
  }}
}}
"""

WRK_SCRIPT = """
wrk.method = "POST"
wrk.path = "/v1/chat/completions"
wrk.headers["content-type"] = "application/json"
wrk.headers["authorization"] = "Bearer sk-test"
local text = string.rep("The quick brown fox jumps over the lazy dog. ", 38)
wrk.body = '{"messages":[{"role":"system","content":"You summarise."},{"role":"user","content":"' .. text ..
  '"}],"model":"mail","temperature":0.2,"max_tokens":200}'
local number = 0
request = function()
  number = number + 1
  wrk.headers["x-user-id"] = "user-" .. (number % 1000)
  return wrk.format()
end
"""


def reply_body() -> str:
    """A chat completion in Azure's shape, about 1.8 KB."""
    safe = {"filtered": False, "severity": "safe"}
    results = dict.fromkeys(("hate", "self_harm", "sexual", "violence"), safe)
    body = {
        "id": "chatcmpl-0",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4o-2024-08-06",
        "system_fingerprint": "fp_bench",
        "prompt_filter_results": [
            {"prompt_index": 0, "content_filter_results": results | {"jailbreak": {"filtered": False, "detected": False}}}
        ],
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": "A short answer of some length. " * 23},
                "content_filter_results": results,
            }
        ],
        "usage": {
            "prompt_tokens": 400,
            "completion_tokens": 160,
            "total_tokens": 560,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        },
    }
    return json.dumps(body)
