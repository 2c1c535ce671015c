// StyleSheet.swift: `style.css`, what the pages look like: large, plain, contrast of 7 to 1.

/// Served as `/.herse/style.css`.
let styleSheet = """
    :root { color-scheme: light dark; --ink: #1a1a1a; --paper: #ffffff; --link: #00419a;
      --line: #595959; --alarm: #8a0000; }
    @media (prefers-color-scheme: dark) {
      :root { --ink: #f2f2f2; --paper: #14161a; --link: #a8c8ff; --line: #a6a6a6;
        --alarm: #ffb0a8; }
    }
    * { box-sizing: border-box; }
    html { font: 1.125rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
    body { margin: 0; padding: 1rem; }
    header, main { max-width: 34rem; margin: 0 auto; }
    header { display: flex; justify-content: space-between; gap: 1rem; }
    a { color: var(--link); }
    .skip:not(:focus) { position: absolute; left: -100rem; }
    h1 { font-size: 1.6rem; line-height: 1.2; }
    h2 { font-size: 1.2rem; margin-top: 2rem; }
    ul.ways { list-style: none; padding: 0; }
    ul.ways a { display: block; padding: 0.75rem 1rem; border: 2px solid var(--link);
      border-radius: 0.3rem; margin: 0.5rem 0; font-weight: 600; }
    label { display: block; font-weight: 600; }
    input { font: inherit; width: 100%; padding: 0.5rem; border: 2px solid var(--line);
      border-radius: 0.3rem; color: inherit; background: var(--paper); }
    button { font: inherit; font-weight: 600; padding: 0.6rem 1.2rem; border: 0;
      border-radius: 0.3rem; color: var(--paper); background: var(--link); cursor: pointer; }
    button:disabled { opacity: 0.5; cursor: default; }
    a:focus, input:focus, button:focus { outline: 3px solid var(--ink); outline-offset: 2px; }
    [role=alert]:not(:empty) { border-left: 0.4rem solid var(--alarm); padding: 0.5rem 1rem;
      color: var(--alarm); font-weight: 600; }
    code { overflow-wrap: anywhere; font-size: 1.1rem; }
    dt { font-weight: 600; } dd { margin: 0 0 0.75rem; overflow-wrap: anywhere; }

    """
