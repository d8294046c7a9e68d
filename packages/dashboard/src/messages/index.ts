/** The catalogue in the language of the page. Another language is another file of the same names. */
export * from './en.ts'
