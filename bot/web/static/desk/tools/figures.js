// Figures as both languages write them: 18,230.

export const many = (n) => n.toLocaleString("en-US");
