import { sql } from "drizzle-orm";
import { check, foreignKey, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { EDIT } from "./edit";

console.log("DROP TABLE printed_while_imported;");

export const customers = sqliteTable(
  "customers",
  {
    id: integer("id").primaryKey({ autoIncrement: true }),
    name: text(EDIT >= 7 ? "full_name" : "name", { length: EDIT >= 5 ? 100 : 50 }).notNull(),
    email: text("email").notNull(),
    createdAt: text("created_at").notNull().default(sql`CURRENT_TIMESTAMP`),
    ...(EDIT >= 2 ? { data: text("data", { mode: "json" }).notNull().default({ a: "100%;" }) } : {}),
  },
  (table) => [
    ...(EDIT < 6 ? [index("customers_by_name").on(table.name)] : [uniqueIndex("customers_email").on(table.email)]),
    check("email_is_one", sql`${table.email} LIKE '%@%'`),
  ],
);

export const products = sqliteTable("products", {
  id: integer("id").primaryKey(),
  title: text("title").notNull().default("a;\n'b"),
  price: integer("price").notNull(),
  ...(EDIT >= 3 ? { double: integer("double").generatedAlwaysAs(sql`price * 2`) } : {}),
});

export const orders = sqliteTable("orders", {
  id: integer("id").primaryKey(),
  customerId: integer("customer_id").notNull().references(() => customers.id, { onDelete: EDIT >= 5 ? "cascade" : "no action" }),
  status: text("status", { enum: ["new", "paid"] }).notNull().default(EDIT >= 4 ? "paid" : "new"),
  ...(EDIT >= 2 ? { note: EDIT >= 10 ? text("note").notNull() : text("note") } : {}),
  ...(EDIT >= 10 ? { total: integer("total").notNull().default(0) } : {}),
});

export const lines = sqliteTable(
  "order_lines",
  {
    orderId: integer("order_id").notNull().references(() => orders.id),
    productId: integer("product_id").notNull().references(() => products.id),
    amount: integer("amount").notNull().default(1),
  },
  (table) => [primaryKey({ columns: [table.orderId, table.productId] })],
);

export const invoices =
  EDIT >= 3
    ? sqliteTable(
        "invoices",
        {
          id: integer("id").primaryKey(),
          orderId: integer("order_id").notNull().references(() => orders.id),
          isPaid: integer("is_paid", { mode: "boolean" }).notNull().default(false),
        },
        (table) => [uniqueIndex("open_invoices").on(table.orderId).where(sql`NOT is_paid`)],
      )
    : undefined;

export const employees =
  EDIT >= 8
    ? sqliteTable("employees", { id: integer("id").primaryKey(), bossId: integer("boss_id") }, (table) => [
        foreignKey({ columns: [table.bossId], foreignColumns: [table.id], name: "boss" }),
      ])
    : undefined;

export const obsolete = EDIT < 9 ? sqliteTable("obsolete", { kind: text("kind") }) : undefined;
