// What modules of the page ask for when they are loaded, where there is no page.
Object.assign(globalThis, { location: { origin: 'http://localhost' } });
