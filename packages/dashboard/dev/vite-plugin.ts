export const standIn = () => ({ name: 'x' })
