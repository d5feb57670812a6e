//! order_tree
