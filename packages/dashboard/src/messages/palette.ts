/** Data: words of going anywhere and starting anything by a few letters. */
export const paletteSearch = 'Go anywhere, start anything'
export const paletteGo = 'Go to'
export const paletteSessions = 'Your sessions'
export const paletteStart = 'Start'
export const paletteNothing = 'Nothing matches.'
