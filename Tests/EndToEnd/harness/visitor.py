"""A browser without script: cookies, redirects and forms over TLS, on the standard library.

It keeps cookies as RFC 6265bis has it, so that one of the gate's that a browser would throw away
is thrown away here too.
"""

import http.client
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin, urlsplit


class Page:
    """One answer, as it stands in the window."""

    def __init__(self, address, status, fields, body):
        self.address = address
        self.status = status
        self.pairs = fields
        self.body = body
        self.text = body.decode("utf-8", "replace")

    def field(self, name, default=None):
        found = [value for key, value in self.pairs if key.lower() == name.lower()]
        assert len(found) < 2, f"{name} stands {len(found)} times"
        return found[0] if found else default

    def fields(self, name):
        return [value for key, value in self.pairs if key.lower() == name.lower()]

    @property
    def path(self):
        return urlsplit(self.address).path

    def forms(self):
        return Document(self.text).forms

    def form(self, *names, action=None):
        """The first form that has fields of these names, and whose action contains `action`."""
        for form in self.forms():
            if all(name in form.inputs for name in names) and (action or "") in form.action:
                return form
        raise AssertionError(
            f"no form with {names} {action or ''} at {self.address} ({self.status}):\n"
            f"{self.text[:2000]}")

    def links(self):
        return Document(self.text).links

    def link(self, part):
        """The first link whose target contains `part`."""
        for target, _ in self.links():
            if part in target:
                return urljoin(self.address, target)
        raise AssertionError(f"no link to {part} at {self.address} ({self.status}):\n{self.text}")

    def __repr__(self):
        return f"<{self.status} {self.address}>\n{self.pairs}\n{self.text[:1500]}"


class Form:
    def __init__(self, action, method, enctype):
        self.action = action
        self.method = method.upper()
        self.enctype = enctype
        self.inputs = {}
        self.kinds = {}


class Document(HTMLParser):
    """Forms and links of a page."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.forms = []
        self.links = []
        self.inside = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        told = {name: value or "" for name, value in attributes}
        if tag == "form":
            self.inside = Form(
                told.get("action", ""), told.get("method", "GET"), told.get("enctype", ""))
            self.forms.append(self.inside)
        elif tag == "a" and "href" in told:
            self.links.append((told["href"], told))
        elif tag in ("input", "button", "select", "textarea") and self.inside and "name" in told:
            kind = told.get("type", "submit" if tag == "button" else "text")
            self.inside.kinds[told["name"]] = kind
            # A box that is not ticked is not sent, nor is a button that is not pressed.
            sent = kind not in ("checkbox", "radio", "submit", "image") or "checked" in told
            self.inside.inputs[told["name"]] = told.get("value", "") if sent else None

    handle_startendtag = handle_starttag

    def handle_endtag(self, tag):
        if tag == "form":
            self.inside = None


class Cookie:
    def __init__(self, name, value, host, path, secure, http_only, same_site, host_only):
        self.name = name
        self.value = value
        self.host = host
        self.path = path
        self.secure = secure
        self.http_only = http_only
        self.same_site = same_site
        self.host_only = host_only


class Visitor:
    """One window with its cookies; `card` is the client certificate it shows the gate."""

    def __init__(self, pki, card=None, language="fr", redirects_max=20):
        self.pki = pki
        self.card = card
        self.language = language
        self.redirects_max = redirects_max
        self.cookies = []
        # Cookies that the window threw away, and why.
        self.refused = []
        # Every address visited, with the status it answered.
        self.way = []
        # Fields of every request, beside what a browser sends by itself.
        self.extra = {}

    # Going somewhere.

    def get(self, address, follow=True, **options):
        return self.go("GET", address, follow=follow, **options)

    def post(self, address, values, origin=None, follow=True, **options):
        """Sends a form; `origin` is where the page stood that has it."""
        body = urlencode(values).encode()
        return self.go("POST", address, body, origin, follow, **options)

    def submit(self, page, form, follow=True, **values):
        """Fills in a form of a page and sends it."""
        unknown = set(values) - set(form.inputs)
        assert not unknown, f"the form has no {unknown}, only {sorted(form.inputs)}"
        fields = {name: value for name, value in {**form.inputs, **values}.items()
                  if value is not None}
        address = urljoin(page.address, form.action)
        if form.method == "GET":
            return self.get(f"{address.split('?')[0]}?{urlencode(fields)}", follow)
        return self.post(address, fields, origin_of(page.address), follow)

    def go(self, method, address, body=None, origin=None, follow=True, fields=(), site=None):
        for _ in range(self.redirects_max):
            page = self.once(method, address, body, origin, fields, site)
            target = page.field("Location")
            if not follow or page.status not in (301, 302, 303, 307, 308) or target is None:
                return page
            # A chain that began here keeps its origin only within it; what follows is a GET.
            if page.status in (301, 302, 303):
                method, body, origin = "GET", None, None
            address = urljoin(address, target)
        raise AssertionError(f"redirected in circles: {self.way[-6:]}")

    def once(self, method, address, body=None, origin=None, fields=(), site=None):
        """One request and its answer, cookies kept."""
        parts = urlsplit(address)
        assert parts.scheme in ("https", "http"), address
        target = parts.path or "/"
        if parts.query:
            target += f"?{parts.query}"
        headers = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
                   "Accept-Language": self.language, **self.extra, **dict(fields)}
        if method == "POST":
            headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
            if origin is not None:
                headers.setdefault("Origin", origin)
                headers.setdefault("Sec-Fetch-Site",
                                   site or same_site(origin, address))
        if cookies := self.sent(parts):
            headers["Cookie"] = cookies
        if parts.scheme == "https":
            context = self.pki.context(self.card)
            connection = http.client.HTTPSConnection(
                parts.hostname, parts.port, timeout=20, context=context)
        else:
            connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
        try:
            connection.request(method, target, body, headers)
            reply = connection.getresponse()
            page = Page(address, reply.status, reply.getheaders(), reply.read())
        finally:
            connection.close()
        self.way.append((method, address, page.status))
        for text in page.fields("Set-Cookie"):
            self.keep(text, parts)
        return page

    # Cookies.

    def sent(self, parts):
        told = [cookie for cookie in self.cookies if cookie.host == parts.hostname
                and (parts.path or "/").startswith(cookie.path)
                and (parts.scheme == "https" or not cookie.secure)]
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in told)

    def keep(self, text, parts):
        pair, *attributes = [piece.strip() for piece in text.split(";")]
        name, _, value = pair.partition("=")
        told = {}
        for attribute in attributes:
            key, _, content = attribute.partition("=")
            told[key.lower()] = content
        path = told.get("path", "/")
        secure = "secure" in told
        if name.startswith("__Host-") and (not secure or path != "/" or "domain" in told):
            self.refused.append((text, "a __Host- cookie is Secure, of Path=/ and of no Domain"))
            return
        if name.startswith("__Secure-") and not secure:
            self.refused.append((text, "a __Secure- cookie is Secure"))
            return
        self.cookies = [cookie for cookie in self.cookies
                        if (cookie.name, cookie.host, cookie.path) != (name, parts.hostname, path)]
        if told.get("max-age", "1").lstrip("-").isdigit() and int(told.get("max-age", "1")) <= 0:
            return
        if "1970" in told.get("expires", ""):
            return
        self.cookies.append(Cookie(
            name, value, parts.hostname, path, secure, "httponly" in told,
            told.get("samesite"), "domain" not in told))

    def cookie(self, name):
        """The cookie of this name, or None."""
        return next((cookie for cookie in self.cookies if cookie.name == name), None)

    def set(self, name, value, host):
        """Puts a cookie into the window, as a thief does who has it from another."""
        self.cookies = [cookie for cookie in self.cookies
                        if (cookie.name, cookie.host) != (name, host)]
        self.cookies.append(Cookie(name, value, host, "/", True, True, "Lax", True))

    def forget(self, name=None):
        self.cookies = [cookie for cookie in self.cookies if name and cookie.name != name]


def origin_of(address):
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def same_site(origin, address):
    """What `Sec-Fetch-Site` says of a request from one address to another."""
    if origin == origin_of(address):
        return "same-origin"
    return "same-site" if urlsplit(origin).hostname == urlsplit(address).hostname else "cross-site"
