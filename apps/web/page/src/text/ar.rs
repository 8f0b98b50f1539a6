pub const AR: super::Text = super::en::EN;
