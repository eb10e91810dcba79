from tests.browser.test_accounts import *
def test_dbg(manager, sandbox):
    values = typed("haosms", sandbox)
    form = AccountForm.new(manager, "haosms").fill(**values)
    form.page.on("requestfailed", lambda r: print("failed", r.url, r.failure))
    form.page.on("response", lambda r: print(r.status, r.url))
    form.field("secret_api_key").fill("")
    form.page.locator(".form-end button[type=submit]").click(timeout=5000)
    form.page.wait_for_timeout(3000)
    form.page.screenshot(path="/tmp/a.png", full_page=True)
    print(form.page.url, form.page.locator(".form-end").evaluate("e=>e.closest('form').outerHTML.slice(0,400)"))
    assert 0
