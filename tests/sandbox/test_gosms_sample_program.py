"""The Python program that GoSMS publishes for its customers, run against the simulated GoSMS."""

from __future__ import annotations

import os
import subprocess
import sys

from sandbox import credentials
from sandbox.server import Sandbox

# The provider's own published sample ("SDK 示例, Python 示例"), word for word. Only the
# indentation, which the document lost, is restored. The test changes address and key.
PUBLISHED_SAMPLE = '''\
import requests
import time
API_BASE = "https://appsms.net/api/v1"
API_KEY = "ch_xxxxxxxxxxxxx"
headers = {
    "Authorization": f"Bearer {API_KEY}",
    "Content-Type": "application/json"
}
# 创建订单
def create_order(project_code, region):
    url = f"{API_BASE}/order"
    data = {
        "project_code": project_code,
        "region": region
    }
    response = requests.post(url, json=data, headers=headers)
    return response.json()
# 查询订单状态
def get_order(order_id):
    url = f"{API_BASE}/order/{order_id}"
    response = requests.get(url, headers=headers)
    return response.json()
# 轮询等待短信
def wait_for_sms(order_id, timeout=300):
    """轮询等待短信,最多等待 timeout 秒"""
    start_time = time.time()
    while time.time() - start_time < timeout:
        order = get_order(order_id)
        if order.get('status') == 'received':
            return order.get('code')
        elif order.get('status') in ['cancelled', 'expired']:
            return None
        # 轮询间隔:前30秒每3秒,之后每5秒
        interval = 3 if time.time() - start_time < 30 else 5
        time.sleep(interval)
    return None
# 使用示例
try:
    # 1. 创建订单
    order = create_order("whatsapp", "ID")
    print(f"订单创建成功!")
    print(f"订单号: {order['order_id']}")
    print(f"手机号: {order['phone']}")
    # 2. 等待短信
    print("等待接收短信...")
    code = wait_for_sms(order['order_id'])
    if code:
        print(f"收到验证码: {code}")
    else:
        print("未收到短信,订单已超时")
except requests.exceptions.RequestException as e:
    print(f"请求失败: {e}")
'''


def run(program: str) -> str:
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=20,
        check=True,
    )
    return done.stdout


def test_published_sample_runs_and_prints_the_code(sandbox: Sandbox) -> None:
    sandbox.change_settings("gosms", sms_delay=0.5)
    program = PUBLISHED_SAMPLE.replace("https://appsms.net/api/v1", sandbox.base_url("gosms"))
    output = run(program.replace("ch_xxxxxxxxxxxxx", credentials.GOSMS_API_KEY))
    code = sandbox.book.entries("gosms", kind="sms")[0].fields["code"]
    assert output.splitlines()[-1] == f"收到验证码: {code}"
